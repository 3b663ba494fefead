// CIFAR-10 and CIFAR-100, the binary versions (https://www.cs.toronto.edu/~kriz/cifar.html).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <pliant/data/images.h>

namespace pliant {

struct CifarSets {
  LabelledImages train, test;        // images uint8 [N 32 32 3]
  std::vector<std::string> classes;  // their names; empty if the folder lacks the file of them
};

enum class CifarLabels : unsigned char { fine, coarse };  // 100 classes, or their 20 groups

// data_batch_1.bin .. data_batch_5.bin, test_batch.bin and batches.meta.txt of a folder, each .bin
// plain or gzip. A file that is missing, cut off or has a label beyond the classes is an Error of
// one line that names it.
CifarSets read_cifar10(const std::filesystem::path& folder);
// train.bin, test.bin and fine_label_names.txt or coarse_label_names.txt.
CifarSets read_cifar100(const std::filesystem::path& folder,
                        CifarLabels labels = CifarLabels::fine);

}  // namespace pliant
