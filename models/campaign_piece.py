"""Some of the contacts of a campaign that are still to have a delivery."""

from __future__ import annotations

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField

from models.read_only import ReadOnly


class CampaignPiece(ReadOnly):
    """Its key is the campaign, the way and the number together."""

    campaign_id = fields.BigIntField(primary_key=True)
    number = fields.BigIntField()
    by_lists = fields.BooleanField()
    ids = ArrayField(element_type="bigint")

    class Meta:
        table = "campaign_piece"
