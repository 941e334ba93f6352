"""Pages: where an executive answers."""

from services.escalation.web.executive import executive_page

__all__ = ["executive_page"]
