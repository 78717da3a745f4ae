"""What an operator can set, by environment variables or a `.env` file: one typed list, all faults told at once."""

from __future__ import annotations

import os
from email.utils import parseaddr
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import available_timezones

from pydantic import AliasChoices, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from kit import email, smtp, web
from kit.errors import Problem, Refused
from kit.smtp import Smtp
from kit.vault import KEY_LENGTH_MIN

if TYPE_CHECKING:
    from kit.db import Server

PREFIX = "PARCOURS_"
OWNER_TOKEN_LENGTH_MIN = 8

Names = Annotated[list[str], NoDecode]


class Settings(BaseSettings):
    """Every setting, its default and what it is for. `.env.example` lists the same ones."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    database_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("DATABASE_URL"),
        description="PostgreSQL 18, e.g. postgresql://user:password@host:5432/parcours. Without it one is started.",
    )
    redis_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("REDIS_URL"),
        description="Valkey or Redis, e.g. redis://host:6379/0 or unix:///path/to/socket. Without it one is started.",
    )
    data: Path = Field(Path(".data"), description="Folder for the data of the servers that are started.")
    host: str = Field("127.0.0.1", description="Address the web server listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port the web server listens on.")
    owner_token: SecretStr | None = Field(
        None,
        description=f"Token of the owner, at least {OWNER_TOKEN_LENGTH_MIN} characters. Without it one is made up.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="How much is logged.")
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="Lines for people or for machines; auto looks whether a terminal is attached."
    )
    test_mode: bool = Field(False, description="Lets the operator put the clock forward. Never in production.")
    crash_at: str | None = Field(
        None,
        pattern="^[a-z_]+:[1-9][0-9]*$",
        description="Test mode only: where this process kills itself, e.g. before_enqueue:2 at the second visit.",
    )
    metrics_token: SecretStr | None = Field(
        None, min_length=16, description="What Prometheus must send to read /metrics. Without it there is none."
    )
    graphiql: bool = Field(True, description="Serve the GraphiQL page at /graphql to browsers.")
    public_url: str | None = Field(
        None, description="Address at which people reach the server, for links in mails, e.g. https://parcours.example."
    )
    allowed_origins: Names = Field(
        default_factory=list, description="Web origins that may call the API from a browser, separated by commas."
    )
    trusted_proxies: Names = Field(
        default_factory=list,
        description="Addresses of proxies whose X-Forwarded-For is believed, separated by commas.",
    )
    default_country: str = Field(
        "US",
        pattern="^[A-Z]{2}$",
        description="Country of phone numbers written without one, when the account is made.",
    )
    timezone: str = Field("UTC", description="Time zone of the account when it is made, e.g. Europe/Berlin.")
    smtp_url: SecretStr | None = Field(
        None,
        description="Where mail is handed over, e.g. smtp://user:password@host:587. Without it none is sent.",
    )
    mail_from: str | None = Field(
        None, validate_default=True, description="Sender of that mail, e.g. Parcours <hello@example.org>."
    )
    mail_connections: int = Field(4, ge=1, le=50, description="Connections to the mail server of each worker process.")
    mail_group: int = Field(
        25,
        ge=1,
        le=100,
        description="Mails at most between two commits on such a connection: so many can be UNKNOWN after a crash.",
    )
    bounce_address: str | None = Field(
        None,
        description="Where mail that cannot be delivered comes back to, e.g. bounces@example.org; the name of the "
        "delivery is put behind its name, bounces+…@example.org. Without it, to the sender.",
    )
    bounce_token: SecretStr | None = Field(
        None, description="Secret with which a mail server may tell of bounces at POST /bounces. Without it nobody may."
    )
    dkim_key: Path | None = Field(None, description="File with the private key (PEM, RSA) that mails are signed with.")
    dkim_selector: str = Field("parcours", description="Name under which the key is in the DNS of the sender's domain.")
    dkim_domain: str | None = Field(None, description="Domain that signs; without it that of the sender.")
    sms_url: str | None = Field(
        None, description="Where text messages are handed over by a POST. Without it none is sent."
    )
    sms_token: SecretStr | None = Field(None, description="Bearer token for that gateway.")
    sms_template: str = Field(
        '{"to": "{to}", "text": "{text}", "reference": "{key}"}',
        description="The JSON that the gateway takes, with {to}, {text} and {key}.",
    )
    webhook_secret: SecretStr | None = Field(
        None,
        description="Secret that webhooks are signed with (whsec_…); two, separated by a space, while it is changed.",
    )
    webhook_private: bool = Field(
        False, description="Lets webhooks go to addresses that are not public. For development and tests."
    )
    secret_key: SecretStr | None = Field(
        None,
        description=f"Key that passwords of other systems are stored under, at least {KEY_LENGTH_MIN} characters; two, "
        "separated by a space, while it is changed, the new one first. Without it one that is in the database itself.",
    )
    sync_hosts: Names = Field(
        default_factory=list,
        description="Hosts with databases that may be read though they are not public, separated by commas; * for all.",
    )
    location_database: Path | None = Field(
        None, description="A file that tells where addresses of the net are (MaxMind DB format, cities or countries)."
    )
    delivery_days: int = Field(
        400,
        ge=30,
        description="Days for which it is known what became of what was sent by automations and people, one by one.",
    )
    anonymous_visit_days: int = Field(
        90, ge=1, le=3_650, description="Days for which visits of people nobody knows are kept."
    )
    pool_size: int = Field(10, ge=2, le=100, description="Connections to PostgreSQL of each process, at most.")
    upload_megabytes: int = Field(200, ge=1, le=10_000, description="How large a file for an import may be, in MB.")
    worker_processes: int = Field(1, ge=1, le=64, description="Worker processes that `parcours up` starts.")
    worker_threads: int = Field(4, ge=1, le=64, description="Hints that one worker process hears at the same time.")

    @field_validator("allowed_origins", "trusted_proxies", "sync_hosts", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        return [word.strip() for word in given.split(",") if word.strip()] if isinstance(given, str) else given

    @field_validator("owner_token")
    @classmethod
    def _long_enough(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None and len(given.get_secret_value()) < OWNER_TOKEN_LENGTH_MIN:
            raise ValueError(f"must have at least {OWNER_TOKEN_LENGTH_MIN} characters")
        return given

    @field_validator("secret_key")
    @classmethod
    def _keys_that_nobody_guesses(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None and any(len(key) < KEY_LENGTH_MIN for key in given.get_secret_value().split() or [""]):
            raise ValueError(f"must have at least {KEY_LENGTH_MIN} characters")
        return given

    @field_validator("crash_at")
    @classmethod
    def _only_in_tests(cls, given: str | None, info: ValidationInfo) -> str | None:
        if given is not None and not info.data.get("test_mode"):
            raise ValueError("is only for PARCOURS_TEST_MODE")
        return given

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, given: str) -> str:
        if given not in available_timezones():
            raise ValueError("must be the name of a time zone, e.g. Europe/Berlin")
        return given

    @field_validator("public_url")
    @classmethod
    def _an_address(cls, given: str | None) -> str | None:
        if given is not None and not web.web_address(given):
            raise ValueError("must be an address such as https://parcours.example")
        return given

    @field_validator("smtp_url")
    @classmethod
    def _a_mail_server(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None:
            try:
                smtp.parse(given.get_secret_value())
            except Refused as refused:
                raise ValueError(refused.problems[0].message) from None
        return given

    @field_validator("mail_from")
    @classmethod
    def _a_sender(cls, given: str | None, info: ValidationInfo) -> str | None:
        if given is None and info.data.get("smtp_url") is not None:
            raise ValueError("is needed with PARCOURS_SMTP_URL")
        if given is not None and (not given.isprintable() or email.normalise(parseaddr(given)[1]) is None):
            raise ValueError("must be an address, e.g. Parcours <hello@example.org>")
        return given

    def server(self) -> Server:
        """Where PostgreSQL answers, from DATABASE_URL."""
        if self.database_url is None:
            raise Refused(Problem("CONFIG", "DATABASE_URL is not set."))
        return parse_database_url(self.database_url.get_secret_value())

    def smtp(self) -> Smtp | None:
        """Where mail is handed over, from PARCOURS_SMTP_URL; None when no mail is to be sent."""
        return None if self.smtp_url is None else smtp.parse(self.smtp_url.get_secret_value())

    def base_url(self) -> str:
        """How links to this server begin, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    def broker_url(self) -> str:
        """Where Valkey answers, from REDIS_URL."""
        if self.redis_url is None:
            raise Refused(Problem("CONFIG", "REDIS_URL is not set."))
        return self.redis_url.get_secret_value()


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once. Refused with every fault, one sentence each."""
    return read()


def read() -> Settings:
    """The settings as the environment has them now."""
    try:
        return Settings()
    except ValidationError as error:
        raise Refused(
            *(
                Problem("CONFIG", f"{_variable(fault['loc'])}: {fault['msg'].removeprefix('Value error, ')}")
                for fault in error.errors(include_input=False, include_url=False, include_context=False)
            )
        ) from None


def override(name: str, value: object) -> None:
    """A setting given on the command line: for this process and, through their environment, for its children."""
    os.environ[_variable((name,))] = str(value)
    settings.cache_clear()


def environment(**changes: str | Path) -> dict[str, str]:
    """The environment of this process for a child, with changes."""
    return os.environ | {name: str(value) for name, value in changes.items()}


def variables() -> dict[str, str]:
    """Every variable an operator can set, with what it is for."""
    return {_variable((name,)): field.description or "" for name, field in Settings.model_fields.items()}


def _variable(where: tuple[int | str, ...]) -> str:
    name = str(where[0]).upper()
    return name if name in ("DATABASE_URL", "REDIS_URL") else PREFIX + name.removeprefix(PREFIX)


def parse_database_url(url: str) -> Server:
    """`postgresql://user:password@host:port/name?host=/folder/of/socket&sslmode=require` as an address.

    `sslmode=verify-full` looks at the certificate, by the system's authorities or those in the file `sslrootcert`.
    """
    from kit.db import Server

    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        raise Refused(Problem("CONFIG", "DATABASE_URL must begin with postgresql://"))
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    return Server(
        host=options.get("host") or parts.hostname or "127.0.0.1",
        port=int(options.get("port") or parts.port or 5432),
        user=unquote(parts.username or "postgres"),
        password=unquote(parts.password) if parts.password else None,
        database=unquote(parts.path.lstrip("/")) or "parcours",
        ssl=options.get("sslmode"),
        ssl_authorities=options.get("sslrootcert"),
    )
