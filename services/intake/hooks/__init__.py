"""From a tool's request to contacts and responses: kept, understood, put in order, and posted like any other."""
