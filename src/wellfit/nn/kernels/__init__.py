"""Convolutions by machine code that LLVM generates for this processor and these shapes."""
