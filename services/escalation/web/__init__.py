"""Pages: where an executive answers, and what a supervisor watches."""

from services.escalation.web.executive import executive_page
from services.escalation.web.supervisor import supervisor_page

__all__ = ["executive_page", "supervisor_page"]
