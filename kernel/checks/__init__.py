"""Checks at the door: what is stated becomes plain values, all problems together, each naming its field."""

from kernel.checks.naming import MOST_ASSETS as MOST_ASSETS
from kernel.checks.naming import NAME as NAME
from kernel.checks.naming import choice as choice
from kernel.checks.naming import is_name as is_name
from kernel.checks.naming import listed as listed
from kernel.checks.naming import names as names
from kernel.checks.naming import path as path
from kernel.checks.numeric import as_floats as as_floats
from kernel.checks.numeric import correlation as correlation
from kernel.checks.numeric import matrix as matrix
from kernel.checks.numeric import number as number
from kernel.checks.numeric import numbers as numbers
from kernel.checks.numeric import whole as whole
from kernel.checks.numeric import years as years
