"""The shape of every configuration file, as pydantic models: one module per YAML file.

Every scalar reaches these models as the text that was written, so the models decide what is a number or a boolean.
"""

from config.schema.acd import Acd
from config.schema.agents import Agents
from config.schema.calendars import Calendars
from config.schema.ivr import Tree
from config.schema.routing import Routing
from config.schema.voicemail import Voicemail

__all__ = ["Acd", "Agents", "Calendars", "Routing", "Tree", "Voicemail"]
