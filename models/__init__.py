"""What is stored: one file a noun. Nothing happens here."""

from models.access_token import AccessToken
from models.import_job import ImportJob
from models.user_account import UserAccount

__all__ = ["AccessToken", "ImportJob", "UserAccount"]
