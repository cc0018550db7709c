"""PostgreSQL and Valkey from their wheels, and the supervisor that runs the whole house from one command."""
