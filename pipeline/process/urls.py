from django.urls import path

from pipeline.process.views import process

urlpatterns = [path("", process, name="process")]
