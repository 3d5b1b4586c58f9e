"""Figures, as PNG or SVG: the only folder that imports matplotlib."""

from kernel.figures.backtest import plot_backtest as plot_backtest
from kernel.figures.fits import plot_fits as plot_fits
from kernel.figures.page import SUFFIXES as SUFFIXES
from kernel.figures.page import check_plot as check_plot
