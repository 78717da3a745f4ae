"""GraphQL selections become one SQL statement in which PostgreSQL builds the JSON of the answer.

`made` says how a field is made, `selection` reads what is asked for, `compile` writes the statement, `read` runs it.
"""
