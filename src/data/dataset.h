#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "base/reporter.h"
#include "data/features.h"
#include "data/mfcc.h"

namespace hysteron::data {

enum class Split { kTrain, kValidation, kTest, kAll };

/// "train", "validation", "test" or "all". Throws a usage Error that names `what` for any other text.
Split parse_split(const std::string& text, const std::string& what);
std::string to_string(Split split);

/// A label and the class folders whose clips carry it. The folder names `silence` and `_silence_` stand for each other.
struct LabelFolders {
  std::string label;
  std::vector<std::string> folders;
};

/// Labels in their order of a network.
using ClassMap = std::vector<LabelFolders>;

/// Reads the JSON text of `hysteron.classes` (an object: label -> list of folders) in the order of `labels`; with
/// `labels` empty, in the order of the text. Throws a bad-input Error that names `origin`, and the label where it has
/// no folders, is not among `labels` or a folder is named twice.
ClassMap parse_classes(const std::string& json, const std::vector<std::string>& labels, const std::string& origin);
std::string classes_to_json(const ClassMap& classes);

/// One audio file of a data set.
struct Clip {
  std::string name;     ///< path below the data set's folder, with '/'
  std::string speaker;  ///< who speaks, from the file name (see speaker_of)
  std::size_t folder;   ///< index into Dataset::folders()
  std::size_t label;    ///< index into Dataset::labels()
};

/// Who speaks in `folder`/`file`: the name before "_nohash_", else before the first '_' (after the class name where the
/// file name begins with it, as in yes/yes_ann_3.wav), else the whole name.
std::string speaker_of(const std::string& folder, const std::string& file);

/// A folder of class folders of WAV or FLAC files, split into train, validation and test.
///
/// Where `validation_list.txt` and `testing_list.txt` exist they split it (Speech Commands layout: one CLASS/FILE a
/// line; what neither names is for training). Else speakers are taken in the order of a hash of their names: to test
/// and then to validation until each has a tenth of every label's clips, the others to train. No speaker is in two
/// splits either way unless the lists say so.
class Dataset {
 public:
  /// With `classes` empty every class folder is a label of its own name, in alphabetical order. Throws a bad-input
  /// Error for fewer than two labels, a missing or empty class folder, only one list, or a list that names a missing
  /// file (with list, line and file).
  explicit Dataset(std::filesystem::path root, const ClassMap& classes = {});

  const std::filesystem::path& root() const { return root_; }
  const std::vector<std::string>& labels() const { return labels_; }
  const std::vector<std::string>& folders() const { return folders_; }  ///< class folders in use, as on disk

  /// Sorted by name. Throws a bad-input Error where the split has no clip of some label.
  std::vector<Clip> clips(Split split) const;

 private:
  std::filesystem::path root_;
  std::vector<std::string> labels_;
  std::vector<std::string> folders_;
  std::array<std::vector<Clip>, 3> splits_;  // train, validation, test; sorted by name
};

/// Features [N, 101, 13] of one audio file after the other, computed on all threads of `pool`; `task` names the work to
/// `reporter`. Throws the Error of a bad file, or kInterrupted when `stop` is set.
Features audio_features(const std::vector<std::filesystem::path>& files, const Mfcc& mfcc, const std::string& task,
                        ThreadPool& pool, Reporter& reporter, const StopFlag& stop);

/// The features of a split: values[i] belongs to clips[i].
struct LabelledFeatures {
  Features features;  ///< [N, 101, 13]
  std::vector<Clip> clips;
  std::vector<std::string> labels;   ///< names of Clip::label
  std::vector<std::string> folders;  ///< names of Clip::folder
};

/// Reads every clip of `split` and computes its features; errors as of audio_features().
LabelledFeatures load_features(const Dataset& dataset, Split split, const Mfcc& mfcc, ThreadPool& pool,
                               Reporter& reporter, const StopFlag& stop);

}  // namespace hysteron::data
