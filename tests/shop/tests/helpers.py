from shop import orders


def an_order(session, total=100):
    return orders.place(session, "Ada", total)
