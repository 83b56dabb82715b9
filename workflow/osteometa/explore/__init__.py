"""What happens when a study or a choice changes: influence, subsets, small studies, multiverse."""
