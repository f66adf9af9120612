"""Reference rows stand below the variants, each once, whatever folder they come from."""

from __future__ import annotations

import dataclasses
import io

import pandas as pd
import pytest
from results_doubles import folder_of, result

from ganbench.report.content import content_of
from ganbench.report.gather import gather
from ganbench.report.references import references_csv, references_of
