"""Books: what the kernels watch of an account, and how far it stands from its next tier."""

from kernel.accounts.books.barrier import BarrierBook as BarrierBook
from kernel.accounts.books.linear import LinearBook as LinearBook
