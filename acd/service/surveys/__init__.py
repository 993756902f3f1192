"""What callers answer when they are asked how it was: drawn who is asked, kept by day, counted, and read back."""

from __future__ import annotations

from acd.service.surveys.desk import SurveyDesk
from acd.service.surveys.records import SurveyFilter, SurveyRecord
from acd.service.surveys.store import SurveyStore

__all__ = ["SurveyDesk", "SurveyFilter", "SurveyRecord", "SurveyStore"]
