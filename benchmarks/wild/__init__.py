"""Public packages with recurrent models: fetched, checked, and compared with what a reader made of each finding."""
