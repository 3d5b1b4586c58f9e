"""Calibration: from targets to the rates and levels that keep them."""

from kernel.calibration.candidates import Response as Response
from kernel.calibration.ladder import CalibratedLadder as CalibratedLadder
from kernel.calibration.ladder import calibrate_ladder as calibrate_ladder
