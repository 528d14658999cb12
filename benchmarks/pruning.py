"""Everything that is measured on pruning: Fashion-MNIST curves, then what it saves on tables.

Takes about two hours on one core; ``--budget`` minutes are given to each part, and
what is measured already is skipped.
"""

import pruning_images
import pruning_tables

if __name__ == "__main__":
    pruning_images.main()
    pruning_tables.main()
