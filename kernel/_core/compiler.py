"""How Numba compiles the kernels: each function once, all of them optimised together.

By itself Numba makes machine code of every inner function, which nothing calls, optimises a function again in each
one that calls it, counts references to arrays, and runs passes that kernels have no use for. Here an inner function
stays an LLVM module as it was lowered; the entry kernel links all of them and is optimised once. A function with a
loop is not inlined, so that the vectoriser sees its loop with nothing around it; one without is inlined everywhere.
Measured on Merton's walk: less than half the compile time, and the walk is no slower.
"""

from __future__ import annotations

import gc
from typing import Any

from numba import _dynfunc  # type: ignore[attr-defined]  # a compiled module
from numba.core import typed_passes, types, untyped_passes
from numba.core.analysis import compute_cfg_from_blocks
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.typed_passes import NativeLowering

# Passes for closures, `with`, raised messages, literals, branches on None, array expressions: kernels have none.
_UNUSED = {
    *(untyped_passes.WithLifting, untyped_passes.InlineClosureLikes, untyped_passes.MakeFunctionToJitFunction),
    *(untyped_passes.RewriteDynamicRaises, untyped_passes.RewriteSemanticConstants, untyped_passes.DeadBranchPrune),
    *(untyped_passes.GenericRewrites, untyped_passes.InlineInlinables, untyped_passes.FindLiterallyCalls),
    *(untyped_passes.LiteralUnroll, untyped_passes.LiteralPropagationSubPipelinePass),
    *(typed_passes.InlineOverloads, typed_passes.NopythonRewrites),
}


class _InnerLibrary(JITCodeLibrary):
    """The LLVM module of one inner function, as it was lowered."""

    loops = False  # the function has a loop

    def add_ir_module(self, ir_module: Any) -> None:
        for function in ir_module.functions:
            if function.blocks and "alwaysinline" not in function.attributes:
                function.attributes.add("noinline" if self.loops else "alwaysinline")
            # the subtarget's own choice may be 256 bits, where 512 are a tenth to a fifth faster
            set.add(function.attributes, '"prefer-vector-width"="512"')  # an attribute that llvmlite does not know
        super().add_ir_module(ir_module)

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout

    def finalize(self) -> None:
        self._raise_if_finalized()
        self._finalized = True


class _KernelLibrary(JITCodeLibrary):
    """The machine code of an entry kernel and of all that it calls."""

    def finalize(self) -> None:
        reached: dict[Any, None] = {}
        waiting = list(self._linking_libraries)
        while waiting:
            library = waiting.pop()
            if library not in reached:
                reached[library] = None
                waiting += library._linking_libraries
        self._linking_libraries = list(reached)
        super().finalize()

    def _optimize_final_module(self) -> None:
        passes, builder = self._codegen._module_pass_manager()
        passes.run(self._final_module, builder)
        if any(function.name.startswith("NRT_") for function in self._final_module.functions):
            raise TypeError("a kernel makes an array, which nothing would free: pass it one to write to")


def _begin(kind: type[JITCodeLibrary], state: Any) -> Any:
    """Let a function be lowered into a new library, without reference counts: Python holds the arrays meanwhile."""
    state["targetctx"] = state.targetctx.subtarget(enable_nrt=False)
    state["library"] = library = kind(state.targetctx.codegen(), state.func_id.func_qualname)
    library.enable_object_caching()
    return library


@register_pass(mutates_CFG=True, analysis_only=False)
class _InnerLowering(NativeLowering):
    _name = "inner_lowering"

    def run_pass(self, state: Any) -> bool:
        library = _begin(_InnerLibrary, state)
        library.loops = bool(compute_cfg_from_blocks(state.func_ir.blocks).loops())
        state.flags.no_compile = True
        super().run_pass(state)
        library.finalize()
        # Numba knows a compiled function by an object to call; of this one nothing can be called from Python.
        described = state.cr.fndesc
        name, module = described.qualname, described.lookup_module()
        uncallable = _dynfunc.make_function(module, name, "", 0, state.cr.env, (library,))
        state.targetctx.insert_user_function(uncallable, described, [library])
        state["cr"] = state.cr._replace(cfunc=uncallable)
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class _KernelLowering(NativeLowering):
    _name = "kernel_lowering"

    def run_pass(self, state: Any) -> bool:
        if isinstance(state.return_type, types.Array):
            raise TypeError("a kernel returns an array, which nothing would hold: pass it one to write to")
        _begin(_KernelLibrary, state)
        return bool(super().run_pass(state))


def _pipelines(compiler: CompilerBase, lowering: type[NativeLowering]) -> list[PassManager]:
    passes = PassManager(lowering.name())
    for each, what in DefaultPassBuilder.define_nopython_pipeline(compiler.state).passes:
        if each not in _UNUSED:
            passes.add_pass(lowering if each is NativeLowering else each, what)
    passes.finalize()
    return [passes]


class InnerCompiler(CompilerBase):
    """Compiles a function that others call."""

    def define_pipelines(self) -> list[PassManager]:
        """Return the passes."""
        return _pipelines(self, _InnerLowering)


class KernelCompiler(CompilerBase):
    """Compiles a function that Python calls."""

    def compile_extra(self, func: Any) -> Any:
        """Compile it, without looking for cycles meanwhile: a tenth of the time, among objects that are all in use."""
        collecting = gc.isenabled()
        gc.disable()
        try:
            return super().compile_extra(func)
        finally:
            if collecting:
                gc.enable()

    def define_pipelines(self) -> list[PassManager]:
        """Return the passes."""
        return _pipelines(self, _KernelLowering)
