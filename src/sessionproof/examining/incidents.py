"""What happened to the teams of docs/explanation/incidents.md, a line for each."""

TITLES: dict[int | None, str] = {
    1: "A search never left the session that it had entered by hand, and leaked its connections",
    2: "Two shutdown paths closed the same session, and the error named neither",
    3: "Nobody could say whether sessions leaked",
    4: "A generator closed its session while that was still connecting, and the pool ran dry",
    5: "Requests were cancelled in the middle of a commit, and the data no longer fitted together",
    6: "There were four ways to get a session, and each handled errors in its own way",
    7: "Nothing had been tested under load, and it failed in production",
    8: "A session that was returned out of a loop ended behind its user, and one of two tasks was lost",
    9: "SQLite never checked a foreign key, and rows referred to nothing",
    10: "The state of a job was written in several steps, and a crash left jobs running for ever",
    11: "A hundred requests at once met a database that was locked",
    12: "A handler gave its session to a job in the background, and the job hung or failed",
    13: "After one such bug was mended, the same one turned up in five more files",
    14: "Tests had sessions from three places: they passed alone and failed together",
    15: "Managers were made by hand in the order of their needs, and failed at run time",
    None: "Found besides",
}
