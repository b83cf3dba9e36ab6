"""What a domains resolver is given, and gives."""

from bearward.types import DomainsResolver, DomainsResolverContext

__all__ = ["DomainsResolver", "DomainsResolverContext"]
