-- Segments: rules about contacts that are kept under a name. Who is in one is found out whenever somebody asks.

CREATE TABLE segment (                                       --                                                               sg
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL,
    kind        text NOT NULL DEFAULT 'USER' CHECK (kind IN ('PREBUILT', 'SMART', 'USER')),
    condition   jsonb NOT NULL,                              -- a ConditionInput as it was given
    user_id     bigint REFERENCES user_account ON DELETE SET NULL,       -- who made it
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX segment_name_key ON segment (lower(name));

-- Always there and read-only: the four of engagement, which hold every contact exactly once (CC1), and the smart ones (SQ4).
INSERT INTO segment (name, kind, condition, created_at, updated_at)
SELECT given.name, given.kind, given.condition::jsonb, now(), now()
FROM (VALUES
    ('Most engaged', 'PREBUILT', '{"engagement": {"is": "MOST"}}'),
    ('Somewhat engaged', 'PREBUILT', '{"engagement": {"is": "SOMEWHAT"}}'),
    ('Least engaged', 'PREBUILT', '{"engagement": {"is": "LEAST"}}'),
    ('Everyone else', 'PREBUILT', '{"engagement": {"is": "EVERYONE_ELSE"}}'),
    ('Subscribers', 'SMART', '{"membership": {"status": "ACTIVE"}}'),
    ('Customers', 'SMART', '{"contact": {"field": "IS_CUSTOMER", "op": "IS", "value": true}}'),
    ('Members', 'SMART', '{"contact": {"field": "IS_MEMBER", "op": "IS", "value": true}}'),
    ('Donors', 'SMART', '{"contact": {"field": "IS_DONOR", "op": "IS", "value": true}}'),
    ('Form submitters', 'SMART', '{"form": {"is": true}}'),
    ('Account holders', 'SMART', '{"contact": {"field": "HAS_ACCOUNT", "op": "IS", "value": true}}'),
    ('New contacts', 'SMART', '{"contact": {"field": "CREATED_AT", "op": "IN_LAST", "value": {"days": 30}}}'),
    ('Recent customers', 'SMART', '{"purchase": {"field": "LAST_ORDER_AT", "op": "IN_LAST", "value": {"days": 30}}}'),
    ('Repeat customers', 'SMART', '{"purchase": {"field": "ORDER_COUNT", "op": "AT_LEAST", "value": 2}}'),
    ('Lapsed customers', 'SMART', '{"purchase": {"field": "LAST_ORDER_AT", "op": "MORE_THAN_AGO", "value": {"years": 1}}}')
) AS given (name, kind, condition);
