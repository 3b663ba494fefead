# MPI::MPI_CXX: the ranks of a Group (layers/train/group.h). Optional and never fetched: without it
# every Group is of one.
option(PLIANT_MPI "Train on many processes by MPI where it is installed" ON)
if(PLIANT_MPI)
  find_package(MPI QUIET COMPONENTS CXX)
endif()
