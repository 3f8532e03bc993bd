#include "base/store.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"

namespace hysteron {
namespace {

namespace fs = std::filesystem;

class StoreTest : public testing::Test {
 protected:
  Store store(const std::string& kind = "curves", const std::string& key = "generic180 27") const {
    return {path_, kind, key};
  }

  /// What reading says where it must fail.
  static std::string refusal(const Store& store) {
    try {
      store.read();
      ADD_FAILURE() << store.path() << " was read";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      return error.what();
    }
    return "";
  }

  TemporaryDirectory folder_{"store"};
  fs::path path_ = folder_.path() / "cache" / "curves.json";
};

TEST_F(StoreTest, SaysThatNothingIsThere) {
  EXPECT_EQ(store().read().state, StoreState::kAbsent);
  EXPECT_FALSE(fs::exists(path_.parent_path())) << "reading makes nothing";
}

TEST_F(StoreTest, GivesEveryByteBack) {
  const std::string records[] = {"", "[1, 2]", "a\nb\n}\n", std::string("\0\xff\r\n", 4), std::string(200000, 'x')};
  for (const std::string& record : records) {
    store().write(record);
    const Stored<std::string> found = store().read();
    EXPECT_EQ(found.state, StoreState::kFound);
    EXPECT_EQ(found.value, record);
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(path_.parent_path()), fs::directory_iterator()), 1)
      << "one file, and no temporary ones";
}

TEST_F(StoreTest, RefusesOtherKindsKeysAndVersions) {
  store().write("[1, 2]");
  EXPECT_EQ(store("mismatch").read().state, StoreState::kStale);
  EXPECT_EQ(store("curves", "generic180 85").read().state, StoreState::kStale);
  const std::string version = std::to_string(kStoreVersion);
  std::string bytes = read_file(path_);
  bytes.replace(bytes.find(" " + version + " "), version.size() + 2, " " + std::to_string(kStoreVersion + 1) + " ");
  write_file(path_, bytes);
  EXPECT_EQ(store().read().state, StoreState::kStale);
  store().write("[3]");
  EXPECT_EQ(store().read().value, "[3]");
}

TEST_F(StoreTest, TakesNoRecordThatIsCutChangedOrLonger) {
  store().write("[1, 2]");
  const std::string whole = read_file(path_);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_file(path_, whole.substr(0, size));
    EXPECT_EQ(store().read().state, StoreState::kStale) << size << " bytes";
    std::string changed = whole;
    changed[size] ^= 0x01;
    write_file(path_, changed);
    EXPECT_EQ(store().read().state, StoreState::kStale) << "byte " << size;
  }
  write_file(path_, whole + "\n");
  EXPECT_EQ(store().read().state, StoreState::kStale);
  write_file(path_, whole);
  EXPECT_EQ(store().read().state, StoreState::kFound);
}

TEST_F(StoreTest, NamesAFileThatCannotBeReadAndTheReason) {
  fs::create_directories(path_);
  std::string message = refusal(store());
  EXPECT_NE(message.find(path_.string()), std::string::npos) << message;
  EXPECT_NE(message.find("Is a directory"), std::string::npos) << message;
  write_file(folder_.path() / "file", "");
  const Store below(folder_.path() / "file" / "curves.json", "curves", "");
  message = refusal(below);
  EXPECT_NE(message.find(below.path().string()), std::string::npos) << message;
  EXPECT_NE(message.find("Not a directory"), std::string::npos) << message;
  EXPECT_THROW(below.write("1"), Error);
}

TEST_F(StoreTest, HashesOfKeysDiffer) {
  EXPECT_EQ(key_hash("a").size(), 32u);
  EXPECT_NE(key_hash("a"), key_hash("b"));
  EXPECT_NE(key_hash(""), key_hash(std::string_view("\0", 1)));
}

}  // namespace
}  // namespace hysteron
