"""The objects of the API, one file each: how every field is made from the tables."""
