"""A title for each incident of docs/explanation/incidents.md."""

TITLES: dict[int | None, str] = {
    1: "A search opened its session by hand, never closed it, and leaked its connections",
    2: "Two shutdown paths closed the same session, and the error named neither",
    3: "Nothing showed whether sessions leaked",
    4: "A generator closed its session while it was still connecting, and the pool ran out of connections",
    5: "Requests were cancelled during a commit, and the data became inconsistent",
    6: "There were four ways to get a session, each with its own error handling",
    7: "The code was never tested under load, and failed in production",
    8: "A function returned a session out of a loop; it was closed behind its user, and one of two tasks was lost",
    9: "SQLite never checked foreign keys, and rows referred to nothing",
    10: "The state of a job was written in several commits, and a crash left jobs running for ever",
    11: "A hundred concurrent requests failed because the database was locked",
    12: "A request handler gave its session to a background job, and the job hung or failed",
    13: "After one such bug was fixed, the same bug turned up in five more files",
    14: "Tests got sessions from three places; they passed alone and failed together",
    15: "Managers were created by hand in dependency order, and failed at run time",
    None: "Also found",
}
