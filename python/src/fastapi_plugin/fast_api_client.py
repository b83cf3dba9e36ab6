"""An older import path. Re-exports only."""

from bearward.fastapi import Auth0FastAPI

__all__ = ["Auth0FastAPI"]
