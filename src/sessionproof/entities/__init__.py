"""Read and change the descriptions of entities, from which the template generates their files."""
