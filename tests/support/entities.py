"""Descriptions of entities, and the results of the template's grammar."""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from .repository import macros

# Every type with every modifier, and the longest names.
ENTITIES: dict[str, Any] = yaml.safe_load("""
customer:
  name: str(200) unique
  email: str(320) unique
invoice:
  number: str(20) unique
  customer: customer
  issued_on: date index
  total: decimal(12, 2)
  paid: bool = false
  note: text?
  status: enum(draft, sent, paid) = draft
person:
  _plural: people
  name: str(200)
  nickname: str(3)? unique
  code: str(4) unique
  type: enum(new, work) = new
  list: int = -5
  format: text = a, b & c
  new: bool
  max: float = 1.5
  born_on: date
  seen_at: datetime unique
  key: uuid unique
  size: bigint? unique
  rate: decimal(4, 4) unique
  amount: decimal(15, 2) = -12.50
  photo: bytes unique
  extra: json
  parent: person?
  best_friend: person?
  customer: customer? unique
  former_customer: customer?
anything:
  _plural: anything
  some_text: text unique
  an_int: int? = 3
  a_bigint: bigint = 9223372036854775807
  a_float: float?
  a_decimal: decimal(3, 3)?
  digits: decimal(5, 0) unique
  a_bool: bool?
  a_date: date? unique
  a_day: date? index
  a_moment: datetime? index
  a_uuid: uuid?
  a_json: json?
  a_blob: bytes?
  an_enum: enum(home, office)?
  count: int unique
  owner: person unique
purchase_order_longe:
  a_long_name_of_relation1: another_thing_longer
  a_long_name_of_relation2: another_thing_longer? unique
  the_long_name_of_an_enum: enum(a_long_value_of_an_enumeration_that_goes) = a_long_value_of_an_enumeration_that_goes
  another_named_of_an_enum: enum(a_long_value_of_an_enumeration_that_goes)? = a_long_value_of_an_enumeration_that_goes
  yet_a_longer_enum_name_x: enum(a_long_value_of_an_enumeration_that_goes) index
  a_long_name_of_a_decimal: decimal(15, 5) = -1234567890.12345
  a_long_name_of_a_number2: decimal(15, 5)? = -1234567890.12345
  a_long_name_of_a_number3: decimal(15, 5)?
  a_long_name_of_a_string1: str(10000) = a default that has sixty characters, which is the most of it
  a_long_name_of_a_string2: str(10000)? = a default that has sixty characters, which is the most of it
  a_long_name_of_a_text_xx: text? = a default that has sixty characters, which is the most of it
  a_long_name_of_a_date_xx: date? index
  a_long_name_of_a_moment1: datetime? index
  a_long_name_of_a_json_xx: json?
another_thing_longer:
  alone: bool = true
license:
  given: customer
  password: str(20) = secret
  letter: str(1) unique
  share: decimal(1, 1) unique
  l: text? = say "it"
  status: enum(i, token) = i
vehicle:
  uow_id: int = 1
""")

grammar = macros("entities")


def complaints(entities: object) -> list[str]:
    """The mistakes in a description, one sentence each."""
    said: str = grammar.complaints(entities)
    return said.splitlines()


def described(entities: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The features of a description, as the template's files see them."""
    features: list[dict[str, Any]] = json.loads(grammar.described(entities))
    return features
