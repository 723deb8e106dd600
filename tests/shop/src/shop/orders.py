from datetime import datetime

from sqlalchemy import select

from .models import Customer, Order


def place(session, name, total):
    customer = session.scalars(select(Customer).where(Customer.name == name)).first()
    if customer is None:
        customer = Customer(name=name)
    order = Order(customer=customer, total=total)
    session.add(order)
    session.flush()
    return order


def pay(session, order_id):
    order = session.get(Order, order_id)
    order.paid_at = datetime.now()
    return order
