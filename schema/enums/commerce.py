"""How orders and memberships of plans stand, in fixed words."""

from __future__ import annotations

from schema.enums.words import words

OrderStatus = words(
    "OrderStatus", "What became of an order; only COMPLETE ones count.", "COMPLETE", "CANCELLED", "REFUNDED"
)
PlanMembershipStatus = words("PlanMembershipStatus", "Whether a membership goes on.", "ACTIVE", "CANCELLED", "EXPIRED")
