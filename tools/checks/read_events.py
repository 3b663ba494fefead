"""Whether TensorBoard reads what a training wrote: FOLDER of event files, FILE of JSON lines."""
import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

folder, lines = sys.argv[1:]
found = EventAccumulator(folder, size_guidance={"scalars": 0, "images": 0})
found.Reload()
figures = 0
with open(lines, encoding="utf-8") as file:
    for line in map(json.loads, file):
        step = line.pop("step")
        for tag, value in line.items():
            read = [event.value for event in found.Scalars(tag) if event.step == step]
            if len(read) != 1 or abs(read[0] - value) > 1e-6 * max(1, abs(value)):
                sys.exit(f"{tag} at step {step}: {value} was written, {read} is read")
            figures += 1
images = [image for tag in found.Tags()["images"] for image in found.Images(tag)]
if figures == 0 or not images or not all(i.width > 0 and i.height > 0 for i in images):
    sys.exit(f"{figures} figures and {len(images)} images are read, expected some of each")
print(f"TensorBoard reads {figures} figures and {len(images)} images")
