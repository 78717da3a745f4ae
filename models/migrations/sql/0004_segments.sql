-- Segments: rules about contacts that are kept under a name. Who is in one is found out whenever somebody asks.

CREATE TABLE segment (                                       --                                                               sg
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL,
    kind        text NOT NULL DEFAULT 'USER' CHECK (kind IN ('PREBUILT', 'SMART', 'USER')),
    description text,
    condition   jsonb NOT NULL,                              -- a ConditionInput as it was given
    user_id     bigint REFERENCES user_account ON DELETE SET NULL,       -- who made it
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX segment_name_key ON segment (lower(name));

-- Always there and read-only: the four of engagement, which hold every contact exactly once (CC1), and the smart ones (SQ4).
INSERT INTO segment (name, kind, description, condition, created_at, updated_at)
SELECT given.name, given.kind, given.description, given.condition::jsonb, now(), now()
FROM (VALUES
    ('Most engaged', 'PREBUILT', 'Open or click at least six of ten e-mails.', '{"engagement": {"is": "MOST"}}'),
    ('Somewhat engaged', 'PREBUILT', 'Open or click at least two of ten e-mails.', '{"engagement": {"is": "SOMEWHAT"}}'),
    ('Least engaged', 'PREBUILT', 'Open or click fewer than two of ten e-mails.', '{"engagement": {"is": "LEAST"}}'),
    ('Everyone else', 'PREBUILT', 'Got too few e-mails to tell.', '{"engagement": {"is": "EVERYONE_ELSE"}}'),
    ('Subscribers', 'SMART', 'Active on a list.', '{"membership": {"status": "ACTIVE"}}'),
    ('Customers', 'SMART', 'Ordered something.', '{"contact": {"field": "IS_CUSTOMER", "op": "IS", "value": true}}'),
    ('Members', 'SMART', 'Members of a plan now.', '{"contact": {"field": "IS_MEMBER", "op": "IS", "value": true}}'),
    ('Donors', 'SMART', 'Gave something.', '{"contact": {"field": "IS_DONOR", "op": "IS", "value": true}}'),
    ('Form submitters', 'SMART', 'Sent a form.', '{"form": {"is": true}}'),
    ('Account holders', 'SMART', 'Have an account at the shop.', '{"contact": {"field": "HAS_ACCOUNT", "op": "IS", "value": true}}'),
    ('New contacts', 'SMART', 'Known for 30 days at most.', '{"contact": {"field": "CREATED_AT", "op": "IN_LAST", "value": {"days": 30}}}'),
    ('Recent customers', 'SMART', 'Ordered in the last 30 days.', '{"purchase": {"field": "LAST_ORDER_AT", "op": "IN_LAST", "value": {"days": 30}}}'),
    ('Repeat customers', 'SMART', 'Ordered twice or more often.', '{"purchase": {"field": "ORDER_COUNT", "op": "AT_LEAST", "value": 2}}'),
    ('Lapsed customers', 'SMART', 'Ordered, but not for a year.', '{"purchase": {"field": "LAST_ORDER_AT", "op": "MORE_THAN_AGO", "value": {"years": 1}}}')
) AS given (name, kind, description, condition);
