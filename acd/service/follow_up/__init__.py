"""What follows a call: messages by mail or webhook, by the rules of followup.yaml.

``courses`` watches the calls, ``rules`` says what is sent on what, ``desk`` sends it, within its limits.
"""

from __future__ import annotations

from acd.service.follow_up.courses import CallCourses, Course
from acd.service.follow_up.desk import FollowUpDesk
from acd.service.follow_up.rules import FollowUpRule, Happening, compile_rules

__all__ = ["CallCourses", "Course", "FollowUpDesk", "FollowUpRule", "Happening", "compile_rules"]
