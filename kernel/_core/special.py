"""exp, log and the Box-Muller pair on one lane, in single and double precision, without calls or branches.

Polynomials: single precision from Cephes (Moshier 1989: expf, logf, sinf, cosf); double precision exp by its
Taylor series, log by fdlibm's series in s = f / (2 + f) (Sun 1993), sin and cos from Cephes. Errors, in units in
the last place, are stated and asserted in the tests.
"""

from __future__ import annotations

import math

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import typing
from numba.extending import intrinsic, overload

from kernel._core.jit import INLINE, point

_F, _D = np.float32, np.float64
_I, _U, _W = np.int32, np.uint32, np.uint64


@intrinsic
def fma(context, a, b, c):
    """Return a * b + c, rounded once."""
    if not (a == b == c and isinstance(a, types.Float)):
        raise TypeError(f"fma wants three of one float type, not {a}, {b}, {c}")

    def generate(_context, builder: ir.IRBuilder, _signature, args):
        return builder.fma(*args)

    return typing.signature(a, a, b, c), generate


@intrinsic
def view(context, x, kind):
    """Return the number of a kind as wide as x that has its bits: as x.view(kind), which takes longer to compile."""

    def generate(_context, builder: ir.IRBuilder, signature, args):
        return builder.bitcast(args[0], _context.get_value_type(signature.return_type))

    return kind.instance_type(x, kind), generate


def _in_precisions(operation, single, double):
    """Compile one of two bodies, by the type of the last argument."""

    def choose(*args):
        return {types.float32: single, types.float64: double}.get(args[-1])

    overload(operation, strict=False, jit_options=INLINE)(choose)


def exp(x):
    """Return e**x; outside [-87, 88] (single) or [-708, 709] (double) the value at the nearer end."""
    raise NotImplementedError


def _exp_single(x):
    x = min(max(x, _F(-87.0)), _F(88.0))
    t = fma(x, _F(1.44269504), _F(12582912.0))  # adding 1.5 * 2**23 rounds to an integer without a call
    n = t - _F(12582912.0)
    r = fma(n, _F(2.12194440e-4), fma(n, _F(-0.693359375), x))
    p = fma(_F(1.9875691500e-4), r, _F(1.3981999507e-3))
    p = fma(p, r, _F(8.3334519073e-3))
    p = fma(p, r, _F(4.1665795894e-2))
    p = fma(p, r, _F(1.6666665459e-1))
    p = fma(p, r, _F(5.0000001201e-1))
    return (fma(p * r, r, r) + _F(1)) * view(_U((view(_F(t), _U) + _U(127)) << _U(23)), _F)


def _exp_double(x):
    x = min(max(x, -708.0), 709.0)
    t = fma(x, 1.4426950408889634, 6755399441055744.0)  # 1.5 * 2**52
    n = t - 6755399441055744.0
    r = fma(n, -1.9082149292705877e-10, fma(n, -0.6931471803691238, x))
    p = fma(1 / 6227020800, r, 1 / 479001600)
    p = fma(p, r, 1 / 39916800)
    p = fma(p, r, 1 / 3628800)
    p = fma(p, r, 1 / 362880)
    p = fma(p, r, 1 / 40320)
    p = fma(p, r, 1 / 5040)
    p = fma(p, r, 1 / 720)
    p = fma(p, r, 1 / 120)
    p = fma(p, r, 1 / 24)
    p = fma(p, r, 1 / 6)
    p = fma(p, r, 0.5)
    return (fma(p * r, r, r) + 1.0) * view(_W((view(_D(t), _W) + _W(1023)) << _W(52)), _D)


_in_precisions(exp, _exp_single, _exp_double)


def log(x):
    """Return the natural logarithm of a positive, normal x."""
    raise NotImplementedError


def _log_single(x):
    bits = view(_F(x), _I)
    e = (bits - _I(0x3F3504F3)) >> _I(23)
    m = view(_I(bits - _I(e << _I(23))), _F) - _F(1)
    z = m * m
    y = fma(_F(7.0376836292e-2), m, _F(-1.1514610310e-1))
    y = fma(y, m, _F(1.1676998740e-1))
    y = fma(y, m, _F(-1.2420140846e-1))
    y = fma(y, m, _F(1.4249322787e-1))
    y = fma(y, m, _F(-1.6668057665e-1))
    y = fma(y, m, _F(2.0000714765e-1))
    y = fma(y, m, _F(-2.4999993993e-1))
    y = fma(y, m, _F(3.3333331174e-1))
    y = fma(_F(-0.5), z, y * m * z)
    n = _F(e)
    y = fma(n, _F(-2.12194440e-4), y)
    return fma(n, _F(0.693359375), m + y)


def _log_double(x):
    shifted = view(_D(x), _W) + _W(0x3FF0000000000000 - 0x3FE6A09E667F3BCD)
    # exponent as a double by its bits: AVX2 has no conversion from 64-bit integers
    n = view(_W((shifted >> _W(52)) | _W(0x4330000000000000)), _D) - 4503599627371519.0  # 2**52 + 1023
    f = view(_W((shifted & _W(0x000FFFFFFFFFFFFF)) + _W(0x3FE6A09E667F3BCD)), _D) - 1.0
    s = f / (2.0 + f)
    z = s * s
    r = fma(1.479819860511658591e-01, z, 1.531383769920937332e-01)
    r = fma(r, z, 1.818357216161805012e-01)
    r = fma(r, z, 2.222219843214978396e-01)
    r = fma(r, z, 2.857142874366239149e-01)
    r = fma(r, z, 3.999999999940941908e-01)
    r = fma(r, z, 6.666666666666735130e-01)
    half = 0.5 * f * f
    return fma(n, 6.93147180369123816490e-01, f - (half - fma(s, fma(r, z, half), n * 1.90821492927058770002e-10)))


_in_precisions(log, _log_single, _log_double)


def uniform(word, unit):
    """Return (floor(word / 2) + 1/2) / 2**31, in (0, 1], in the precision of `unit`."""
    raise NotImplementedError


def _uniform_single(word, unit):
    return fma(_F(_I(word >> _U(1))), _F(2.0**-31), _F(2.0**-32))


def _uniform_double(word, unit):
    return fma(_D(_I(word >> _U(1))), 2.0**-31, 2.0**-32)


_in_precisions(uniform, _uniform_single, _uniform_double)


@point
def _sin_cos_single(t):
    z = t * t
    s = fma(fma(_F(-1.9515295891e-4), z, _F(8.3321608736e-3)), z, _F(-1.6666654611e-1))
    c = fma(fma(_F(2.443315711809948e-5), z, _F(-1.388731625493765e-3)), z, _F(4.166664568298827e-2))
    return fma(s, z * t, t), fma(c, z * z, fma(_F(-0.5), z, _F(1)))


@point
def _sin_cos_double(t):
    z = t * t
    s = fma(1.58962301576546568060e-10, z, -2.50507477628578072866e-8)
    s = fma(s, z, 2.75573136213857245213e-6)
    s = fma(s, z, -1.98412698295895385996e-4)
    s = fma(s, z, 8.33333333332211858878e-3)
    s = fma(s, z, -1.66666666666666307295e-1)
    c = fma(-1.13585365213876817300e-11, z, 2.08757008419747316778e-9)
    c = fma(c, z, -2.75573141792967388112e-7)
    c = fma(c, z, 2.48015872888517045348e-5)
    c = fma(c, z, -1.38888888888730564116e-3)
    c = fma(c, z, 4.16666666666665929218e-2)
    return fma(s, z * t, t), fma(c, z * z, fma(-0.5, z, 1.0))


def _box_muller_single(a, b, unit):
    radius = math.sqrt(_F(-2) * log(uniform(a, _F(1))))
    s, c = _sin_cos_single(_F(_I(b << _U(2))) * _F(math.pi / 4 * 2.0**-31))
    swap = (b & _U(0x40000000)) != _U(0)
    x, y = s if swap else c, c if swap else s
    sign = b & _U(0x80000000)
    turn = sign ^ _U((b << _U(1)) & _U(0x80000000))
    return radius * view(_U(view(_F(x), _U) ^ turn), _F), radius * view(_U(view(_F(y), _U) ^ sign), _F)


def _box_muller_double(a, b, unit):
    radius = math.sqrt(-2.0 * log(uniform(a, 1.0)))
    s, c = _sin_cos_double(_D(_I(b << _U(2))) * (math.pi / 4 * 2.0**-31))
    swap = (b & _U(0x40000000)) != _U(0)
    x, y = s if swap else c, c if swap else s
    sign = b & _U(0x80000000)
    turn = sign ^ _U((b << _U(1)) & _U(0x80000000))
    x = view(_W(view(_D(x), _W) ^ (_W(turn) << _W(32))), _D)
    y = view(_W(view(_D(y), _W) ^ (_W(sign) << _W(32))), _D)
    return radius * x, radius * y


def box_muller(a, b, unit):
    """Return two independent standard normals from two words, in the precision of `unit`.

    Box and Muller (1958). The first word gives the radius; the top two bits of the second the quadrant, its other
    thirty an angle in [-pi/4, pi/4). The largest radius is sqrt(-2 log 2**-32) = 6.66.
    """
    raise NotImplementedError


_in_precisions(box_muller, _box_muller_single, _box_muller_double)
