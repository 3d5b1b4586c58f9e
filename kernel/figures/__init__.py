"""Figures, as PNG or SVG: the only folder that imports matplotlib."""

from kernel.figures.backtest import plot_backtest as plot_backtest
from kernel.figures.ends import plot_endings as plot_endings
from kernel.figures.fits import plot_fits as plot_fits
from kernel.figures.page import SUFFIXES as SUFFIXES
from kernel.figures.page import check_plot as check_plot
from kernel.figures.surface import plot_surface as plot_surface
from kernel.figures.threshold import plot_thresholds as plot_thresholds
