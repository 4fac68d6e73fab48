"""The form in which a definition is built: rows with texts as somebody typed them, complete or not."""
