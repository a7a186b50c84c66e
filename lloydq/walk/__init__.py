"""Lloyd's algorithm to walk through, forwards and backwards: a page for the browser, an animation, a contact sheet."""

from .page import Page, page
from .pictures import HUES, animation, contact_sheet
from .record import Frame, Walk, read_points, record

__all__ = ["HUES", "Frame", "Page", "Walk", "animation", "contact_sheet", "page", "read_points", "record"]
