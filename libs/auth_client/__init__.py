"""Auth, as the other services ask it when it is a process of its own: the same promises over HTTP."""
