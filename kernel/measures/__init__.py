"""Measures: from an outcome to estimates."""

from kernel.measures.breach import Survival as Survival
from kernel.measures.breach import breach_probability as breach_probability
from kernel.measures.breach import breach_time_quantile as breach_time_quantile
from kernel.measures.breach import survival as survival
from kernel.measures.estimate import Estimate as Estimate
from kernel.measures.tail import expected_shortfall as expected_shortfall
from kernel.measures.tail import value_at_risk as value_at_risk
from kernel.measures.threshold import ThresholdCurve as ThresholdCurve
from kernel.measures.threshold import curves_table as curves_table
from kernel.measures.threshold import threshold as threshold
from kernel.measures.threshold import threshold_curve as threshold_curve
