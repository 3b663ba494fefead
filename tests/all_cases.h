// The cases of every op: of each file of tests/cases.
#pragma once

#include <string>
#include <vector>

#include <pliant/tests/op_case.h>

namespace pliant::test {

// `stem` is the file's: "cumsum", whose cases cumsum_cases() gives.
struct StemCases {
  std::string stem;
  OpCases cases;
};

const std::vector<StemCases>& cases_by_stem();

// All in one list, each named "stem: name".
inline OpCases all_cases() {
  OpCases all;
  for (const StemCases& of : cases_by_stem())
    for (OpCase op : of.cases) {
      op.name = of.stem + ": " + op.name;
      all.push_back(op);
    }
  return all;
}

}  // namespace pliant::test
