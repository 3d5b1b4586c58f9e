"""Accounts: cash, positions and the margin rule they are held under."""

from kernel.accounts.account import Account as Account
from kernel.accounts.ladder import Ladder as Ladder
