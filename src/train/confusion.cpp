#include "train/confusion.h"

namespace hysteron::train {

Confusion empty_confusion(std::size_t labels) { return Confusion(labels, std::vector<std::size_t>(labels, 0)); }

double accuracy(const Confusion& confusion) {
  double right = 0.0;
  double all = 0.0;
  for (std::size_t k = 0; k < confusion.size(); ++k) {
    right += static_cast<double>(confusion[k][k]);
    for (const std::size_t count : confusion[k]) all += static_cast<double>(count);
  }
  return all > 0.0 ? right / all : 0.0;
}

double balanced_accuracy(const Confusion& confusion) {
  double sum = 0.0;
  double present = 0.0;
  for (std::size_t k = 0; k < confusion.size(); ++k) {
    double of_label = 0.0;
    for (const std::size_t count : confusion[k]) of_label += static_cast<double>(count);
    if (of_label == 0.0) continue;
    present += 1.0;
    sum += static_cast<double>(confusion[k][k]) / of_label;
  }
  return present > 0.0 ? sum / present : 0.0;
}

}  // namespace hysteron::train
