from helpers import an_order

from shop import orders


def test_an_order_is_placed(session):
    assert an_order(session, total=250).total == 250


def test_a_customer_is_known_by_name(session):
    assert an_order(session).customer is an_order(session).customer


def test_an_order_is_paid(session):
    order = an_order(session)

    orders.pay(session, order.id)

    assert order.paid_at is not None
