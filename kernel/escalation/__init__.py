"""Escalation: what a tier of a ladder does when it breaches, and the formulas that its actions share."""

from kernel.escalation.action import Action as Action
from kernel.escalation.call import Call as Call
from kernel.escalation.client import Client as Client
from kernel.escalation.close_out import CloseOut as CloseOut
from kernel.escalation.escalation import Escalation as Escalation
from kernel.escalation.escalation import TierActions as TierActions
from kernel.escalation.impact import SquareRootImpact as SquareRootImpact
from kernel.escalation.notice import Notice as Notice
