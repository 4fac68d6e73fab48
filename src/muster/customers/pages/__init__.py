"""The pages of imports: files on their way in, step by step, and out again."""
