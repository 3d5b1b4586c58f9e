"""Arrow, Parquet and CSV, in and out: the only folder that imports pyarrow."""

from kernel.tables.delimited import is_timed as is_timed
from kernel.tables.read import read_sheet as read_sheet
from kernel.tables.sheet import MOST_COLUMNS as MOST_COLUMNS
from kernel.tables.sheet import Cells as Cells
from kernel.tables.sheet import Sheet as Sheet
from kernel.tables.sheet import listed as listed
from kernel.tables.stdout import form_of as form_of
from kernel.tables.stdout import packed as packed
from kernel.tables.stdout import stdout_form as stdout_form
from kernel.tables.tabular import Tabular as Tabular
from kernel.tables.tabular import table_of as table_of
from kernel.tables.write import OUTPUT_SUFFIXES as OUTPUT_SUFFIXES
from kernel.tables.write import check_output as check_output
from kernel.tables.write import write_table as write_table
