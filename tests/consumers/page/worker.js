import "sam-med2d-webgpu/worker";
