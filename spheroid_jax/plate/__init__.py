"""From wells to answers: plate maps, growth, dose response, regrowth, and quality of plates."""
