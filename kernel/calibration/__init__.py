"""Calibration: from targets to the rates and levels that keep them."""

from kernel.calibration.adjustment import Adjustment as Adjustment
from kernel.calibration.candidates import Response as Response
from kernel.calibration.ladder import CalibratedLadder as CalibratedLadder
from kernel.calibration.ladder import calibrate_ladder as calibrate_ladder
from kernel.calibration.margin import Margin as Margin
from kernel.calibration.margin import calibrate_margin as calibrate_margin
from kernel.calibration.surface import Surface as Surface
from kernel.calibration.surface import margin_surface as margin_surface
