#include <pliant/data/sequences.h>
#include <pliant/tests/image_bytes.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

void write_frames(const TemporaryFolder& folder, const std::string& place, int count) {
  for (int i = 1; i <= count; ++i)
    folder.write(place + "/000" + std::to_string(i) + ".jpg", jpeg());
}

// A sequence of `frames` with this truth.
Sequence sequence(const std::string& truth, int frames, const char* file = "groundtruth.txt") {
  const TemporaryFolder folder;
  write_frames(folder, "bolt", frames);
  folder.write(std::string("bolt/") + file, text(truth));
  return Sequences(folder.path()).at(0);
}

std::string error_in(const std::string& truth, int frames) {
  return error_of([&] { sequence(truth, frames); });
}

}  // namespace

TEST_CASE("sequences: commas, tabs, blanks, CR LF; VOT counts from 0, OTB from 1") {
  for (const char* const truth : {"3,2,4,5\n1,1,2,2\n", "3\t2\t4\t5\r\n1\t1\t2\t2",
                                  "3 2 4 5\n 1  1 2 2 \n\n", "3.0, 2.0, 4, 5\r\n1, 1, 2, 2\r\n",
                                  "\xEF\xBB\xBF"
                                  "3,2,4,5\n1,1,2,2\n"}) {
    const Sequence vot = sequence(truth, 2);
    CHECK(vot.name == "bolt");
    REQUIRE(vot.size() == 2);
    CHECK(vot.boxes.to_vector() == std::vector<double>{3, 2, 7, 7, 1, 1, 3, 3});
    CHECK(vot.present.to_vector() == std::vector<double>{1, 1});
    CHECK(vot.polygons[0].empty());
    CHECK(sequence(truth, 2, "groundtruth_rect.txt").boxes.to_vector() ==
          std::vector<double>{2, 1, 6, 6, 0, 0, 2, 2});
  }
}

TEST_CASE("sequences: NaN, zeros and outlines without area say that the target is absent") {
  const Sequence one =
      sequence("NaN,NaN,NaN,NaN\n0,0,0,0\n5,5,0,3\n5,5,3,-1\nnan 1 2 3\n1,1,2,2,3,3\n1,1,2,2\n", 7);
  CHECK(one.present.to_vector() == std::vector<double>{0, 0, 0, 0, 0, 0, 1});
  CHECK(one.boxes.slice(0, 6).to_vector() == std::vector<double>(24, 0));
}

TEST_CASE("sequences: polygons, and the box around them") {
  const Sequence one = sequence("2,1,6,3,5,7,1,5\n1,1,3,1,3,4\n1,1,2,2\n", 3);
  CHECK(one.boxes.to_vector() == std::vector<double>{1, 1, 6, 7, 1, 1, 3, 4, 1, 1, 3, 3});
  REQUIRE(one.polygons.size() == 3);
  CHECK(one.polygons[0].size() == 4);
  CHECK(one.polygons[0][2].y == 7);
  CHECK(one.polygons[1].size() == 3);
  CHECK(one.polygons[2].empty());
}

TEST_CASE("sequences: frames in img and color, in the order of their numbers, gray in colour") {
  for (const char* const place : {"walk/img", "walk/color", "walk"}) {
    const TemporaryFolder folder;
    for (const char* const name : {"10", "9", "1", "11"})
      folder.write(std::string(place) + "/" + name + ".JPG", jpeg());
    folder.write("walk/groundtruth_rect.txt", text("1,1,2,2\n1,1,2,2\n1,1,2,2\n"));
    const Sequences set(folder.path());
    const Sequence one = set.at(0);
    REQUIRE(one.size() == 3);  // the fourth has no truth
    CHECK(set.without_truth() == 1);
    CHECK(set.frames() == 3);
    CHECK(one.frames[0].stem() == "1");
    CHECK(one.frames[1].stem() == "9");
    CHECK(one.frames[2].stem() == "10");
    CHECK(one.frame(0).shape() == Shape{8, 16, 3});
    CHECK(contains(error_of([&] { one.frame(3); }), "walk: frame 3 of 3"));
  }
}

TEST_CASE("sequences: splits, and folders of several targets") {
  const TemporaryFolder folder;
  for (const char* const name : {"b", "a", "jogging"}) {
    write_frames(folder, name, 1);
    if (std::string(name) != "jogging")
      folder.write(std::string(name) + "/groundtruth.txt", text("1,1,2,2\n"));
  }
  folder.write("jogging/groundtruth_rect.1.txt", text("2,2,2,2\n"));
  folder.write("jogging/groundtruth_rect.2.txt", text("4,4,2,2\n"));
  folder.write("notes/readme.txt", text("none"));
  folder.write("train.txt", text("b\r\njogging\r\n"));
  const Sequences all(folder.path());
  REQUIRE(all.size() == 4);
  CHECK(all.at(0).name == "a");
  CHECK(all.at(3).name == "jogging-2");
  CHECK(all.at(3).boxes.to_vector() == std::vector<double>{3, 3, 5, 5});
  const Sequences train(folder.path(), "train");
  REQUIRE(train.size() == 3);
  CHECK(train.at(0).name == "b");
  CHECK(contains(error_of([&] { Sequences(folder.path(), "val"); }), "val.txt"));
}

TEST_CASE("sequences: what is wrong is named, or skipped") {
  CHECK(contains(error_in("1,2,3\n", 1), "groundtruth.txt: line 1: 3 numbers, expected x y width"));
  CHECK(contains(error_in("1,2,3,4\n1,2,3,4,5\n", 2), "line 2: 5 numbers"));
  CHECK(contains(error_in("1,2,3,4\n\n1,2,3,4\n", 3), "line 2: 0 numbers"));
  CHECK(contains(error_in("1,2,x,4\n", 1), "line 1: \"x\" is no number of pixels"));
  CHECK(contains(error_in("1,2,inf,4\n", 1), "\"inf\" is no number of pixels"));
  CHECK(contains(error_in("1,2,3,4\n1,2,3,4\n", 1), "groundtruth.txt: has 2 lines for 1 frames"));
  CHECK(contains(error_in("", 1), "groundtruth.txt: is empty"));

  const TemporaryFolder folder;
  write_frames(folder, "good", 1);
  folder.write("good/groundtruth.txt", text("1,2,3,4\n"));
  write_frames(folder, "no truth", 1);
  folder.write("no frames/groundtruth.txt", text("1,2,3,4\n"));
  folder.write("list.txt", text("good\nno truth\nno frames\nnowhere\n"));
  CHECK(contains(error_of([&] { Sequences(folder.path(), "list"); }),
                 "no truth: has no truth, expected a groundtruth.txt"));
  const Sequences set(folder.path(), "list", BadFiles::skip);
  CHECK(set.size() == 1);
  REQUIRE(set.skipped().size() == 3);
  CHECK(contains(set.skipped()[1].reason, "no frames, expected images"));
  CHECK(set.skipped()[2].name == "nowhere");
  CHECK(contains(error_of([&] { Sequences(folder.path() / "none"); }), "none"));
}
