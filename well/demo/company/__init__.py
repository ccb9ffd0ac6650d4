"""A believable company from a seed or a file: its books in Xero's JSON, its inbox in Qonto's, and the truth.

Pure: chance has a seed, ids are derived, the day is passed in. Nothing here speaks HTTP.
"""

from well.demo.company.company import Company
from well.demo.company.csv_bills import CsvBill, read_bills_csv
from well.demo.company.from_csv import company_from_csv
from well.demo.company.made_up import make_company
from well.demo.company.truth import Truth
from well.demo.company.xero_shape import json_bytes

__all__ = ["Company", "CsvBill", "Truth", "company_from_csv", "json_bytes", "make_company", "read_bills_csv"]
